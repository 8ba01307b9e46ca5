-- KEYS: task, index of open tasks, index of the new status. ARGV: status, response JSON or '', now, other fields.
-- Answers 'closed', 'same' (closed so before), 'missing', or the status of a task that is closed otherwise.
local status, member, response = unpack(redis.call('HMGET', KEYS[1], 'status', 'indexMember', 'response'))
if not status then return 'missing' end
if status ~= 'OPEN' then
  return (status == ARGV[1] and (response or '') == ARGV[2]) and 'same' or status
end
redis.call('HSET', KEYS[1], 'status', ARGV[1], 'closedAt', ARGV[3], unpack(ARGV, 4))
if ARGV[2] ~= '' then redis.call('HSET', KEYS[1], 'response', ARGV[2]) end
redis.call('ZREM', KEYS[2], member)
redis.call('ZADD', KEYS[3], 0, member)
return 'closed'
