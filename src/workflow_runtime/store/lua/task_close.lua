-- KEYS: task, index of open tasks, index of the new status. ARGV: status, response JSON or '', now, other fields.
-- Answers 'closed', 'same' (closed so before), 'missing', or the status of a task that is closed otherwise.
local status, member, response = unpack(redis.call('HMGET', KEYS[1], 'status', 'indexMember', 'response'))
if not status then return 'missing' end
if status ~= 'OPEN' then
  if status ~= ARGV[1] or (response or '') ~= ARGV[2] then return status end
  -- The run's own record may come first, and that of an older worker does not know who responded.
  for i = 4, #ARGV, 2 do redis.call('HSETNX', KEYS[1], ARGV[i], ARGV[i + 1]) end
  return 'same'
end
redis.call('HSET', KEYS[1], 'status', ARGV[1], 'closedAt', ARGV[3], unpack(ARGV, 4))
if ARGV[2] ~= '' then redis.call('HSET', KEYS[1], 'response', ARGV[2]) end
redis.call('ZREM', KEYS[2], member)
redis.call('ZADD', KEYS[3], 0, member)
return 'closed'
