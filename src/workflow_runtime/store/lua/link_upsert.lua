-- KEYS: link, forward index, reverse index, index of the namespace, namespaces, operation. ARGV: see _operation.lua, then
-- namespace, member of both directions' indexes (forward, reverse), member of the namespace's index, now, fields.
-- Answers {1 when the link is new}.
local before = answer_of_before()
if before then return before end
local new = redis.call('HSETNX', KEYS[1], 'createdAt', ARGV[6])
redis.call('HDEL', KEYS[1], 'attributes')
redis.call('HSET', KEYS[1], 'updatedAt', ARGV[6], unpack(ARGV, 7))
redis.call('ZADD', KEYS[2], 0, ARGV[3])
redis.call('ZADD', KEYS[3], 0, ARGV[4])
redis.call('ZADD', KEYS[4], 0, ARGV[5])
redis.call('ZADD', KEYS[5], 0, ARGV[2])
return remember({new})
