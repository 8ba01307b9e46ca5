-- Changes fields of a workflow that exists. KEYS: workflow. ARGV: number of names to clear, those names, then fields.
-- Answers 1, or 0 when there is no such workflow.
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
local cleared = tonumber(ARGV[1])
for at = 2, cleared + 1 do redis.call('HDEL', KEYS[1], ARGV[at]) end
redis.call('HSET', KEYS[1], unpack(ARGV, cleared + 2))
return 1
