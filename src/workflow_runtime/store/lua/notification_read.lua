-- KEYS: notification, the user's unread. ARGV: now. Answers 1 when it was unread, 0 when it was read, -1 when missing.
local member = redis.call('HGET', KEYS[1], 'indexMember')
if not member then return -1 end
redis.call('ZREM', KEYS[2], member)
return redis.call('HSETNX', KEYS[1], 'readAt', ARGV[1])
