# The spool's disk loses its power, is full, or read-only: on file systems of our own.
# bats file_tags=root

load harness

# power FILESYSTEM FEW MANY
power() {
	needs mkfs.xfs "mkfs.$1"
	needs_mounts
	attack power "$1" "$(much "$2" "$3")"
}

# full FILESYSTEM FEW MANY
full() {
	needs "mkfs.$1"
	needs_mounts
	attack disk "$1" "$(much "$2" "$3")"
}

# bats test_tags=sweep
@test "the power is cut, ext4: what was promised durable is there; nothing cut off passes for an image" { power ext4 1 30; }

# bats test_tags=torture
@test "the power is cut, XFS" { power xfs 1 30; }

# bats test_tags=torture
@test "the power is cut, btrfs" { power btrfs 1 30; }

# bats test_tags=sweep
@test "the disk is full in bytes and inodes and read-only, ext4: all goes on when there is room" { full ext4 1 45; }

# bats test_tags=torture
@test "the disk is full in bytes and inodes, XFS" { full xfs 1 30; }

# bats test_tags=torture
@test "the disk is full in bytes and inodes, tmpfs" {
	needs_mounts
	attack disk tmpfs "$(much 1 30)"
}
