"""temporal-worker: owns the five domain queues and refuses the authored one."""
