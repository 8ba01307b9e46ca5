-- KEYS: notification, the user's, the user's unread, all of the tenant. ARGV: index member, entry of the tenant's index,
-- created ms, fields. Answers 1 when the notification is new.
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
redis.call('HSET', KEYS[1], 'indexMember', ARGV[1], unpack(ARGV, 4))
redis.call('ZADD', KEYS[2], 0, ARGV[1])
redis.call('ZADD', KEYS[3], 0, ARGV[1])
redis.call('ZADD', KEYS[4], ARGV[3], ARGV[2])
return 1
