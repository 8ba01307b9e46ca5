-- KEYS: task, tasks of the run, all tasks, then one index per status. ARGV: status the row is expected to have ('' for
-- no row), index member, number of the index of the new status among KEYS, fields.
-- Answers 1, or 0 when somebody wrote to the task since it was read.
if (redis.call('HGET', KEYS[1], 'status') or '') ~= ARGV[1] then return 0 end
local old_member = redis.call('HGET', KEYS[1], 'indexMember')
for at = 2, #KEYS do
  redis.call('ZREM', KEYS[at], ARGV[2])
  if old_member then redis.call('ZREM', KEYS[at], old_member) end
end
redis.call('UNLINK', KEYS[1])
redis.call('HSET', KEYS[1], 'indexMember', ARGV[2], unpack(ARGV, 4))
for _, at in ipairs({2, 3, tonumber(ARGV[3])}) do redis.call('ZADD', KEYS[at], 0, ARGV[2]) end
return 1
