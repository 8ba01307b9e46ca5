-- KEYS: index of the namespace, namespaces, then link, forward index and reverse index of each link, operation.
-- ARGV: see _operation.lua, namespace, then the members of each link (forward, reverse, namespace).
-- Answers {number of links removed}.
local before = answer_of_before()
if before then return before end
local removed = 0
for at = 3, #KEYS - 1, 3 do
  removed = removed + redis.call('UNLINK', KEYS[at])
  redis.call('ZREM', KEYS[at + 1], ARGV[at])
  redis.call('ZREM', KEYS[at + 2], ARGV[at + 1])
  redis.call('ZREM', KEYS[1], ARGV[at + 2])
end
if redis.call('EXISTS', KEYS[1]) == 0 then redis.call('ZREM', KEYS[2], ARGV[2]) end
return remember({removed})
