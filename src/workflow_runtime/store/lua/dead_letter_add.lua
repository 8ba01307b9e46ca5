-- Adds a dead letter once per source. KEYS: dead-letter stream, sources. ARGV: source, then names and values.
-- Answers its id.
local known = redis.call('HGET', KEYS[2], ARGV[1])
if known then return known end
local fields = {}
for i = 2, #ARGV do fields[i - 1] = ARGV[i] end
local id = redis.call('XADD', KEYS[1], '*', unpack(fields))
redis.call('HSET', KEYS[2], ARGV[1], id)
return id
