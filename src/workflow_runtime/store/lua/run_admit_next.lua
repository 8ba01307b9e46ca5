-- ARGV: run id that was first in the queue, now ms, now ISO.
-- Answers 'admitted', 'held' (paused or at the limit) or 'moved' (another run is first now).
local run_id = ARGV[1]
if redis.call('ZRANGE', QUEUE, 0, 0)[1] ~= run_id then return 'moved' end
if redis.call('EXISTS', ROW) == 0 then
  redis.call('ZREM', QUEUE, run_id)
  return 'moved'
end
if hindrance() then return 'held' end
leave_queue(run_id)
set_status('RUNNING')
redis.call('HSET', ROW, 'updatedAt', ARGV[3])
redis.call('SADD', ACTIVE, run_id)
redis.call('ZADD', UNLAUNCHED, ARGV[2], run_id)
return 'admitted'
