-- KEYS: task, tasks of the run, all tasks, then one index per status (OPEN first). ARGV: index member, fields.
-- Answers 1 when the task is new.
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
redis.call('HSET', KEYS[1], 'indexMember', ARGV[1], unpack(ARGV, 2))
for at = 2, 4 do redis.call('ZADD', KEYS[at], 0, ARGV[1]) end
return 1
