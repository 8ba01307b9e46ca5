-- KEYS: specs, contracts. ARGV: '<id>@<version>', hash of what may not change, spec JSON, '1' to change it all the same.
-- Answers 'new', 'kept' or 'different'.
local known = redis.call('HGET', KEYS[2], ARGV[1])
if known and known ~= ARGV[2] and ARGV[4] ~= '1' then return 'different' end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
return known and 'kept' or 'new'
