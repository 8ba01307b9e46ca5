-- KEYS: notification, the user's, the user's unread, all of the tenant. ARGV: entry of the tenant's index.
local member = redis.call('HGET', KEYS[1], 'indexMember')
redis.call('ZREM', KEYS[4], ARGV[1])
if not member then return 0 end
redis.call('ZREM', KEYS[2], member)
redis.call('ZREM', KEYS[3], member)
return redis.call('UNLINK', KEYS[1])
