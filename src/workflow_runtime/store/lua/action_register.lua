-- KEYS: registry. ARGV: '<id>@<version>', hash of what may not change, spec JSON, '1' to change it all the same.
-- An entry is the hash and the spec, a line feed between them. Answers 'new', 'kept' or 'different'.
local known = redis.call('HGET', KEYS[1], ARGV[1])
if known and string.sub(known, 1, #ARGV[2]) ~= ARGV[2] and ARGV[4] ~= '1' then return 'different' end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2] .. '\n' .. ARGV[3])
return known and 'kept' or 'new'
