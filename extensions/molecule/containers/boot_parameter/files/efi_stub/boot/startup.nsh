vmlinuz-virt initrd=initramfs-virt root=LABEL=root modules=ext4 quiet
