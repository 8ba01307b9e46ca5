-- ARGV: run id. Answers 1 when the run, which has begun and not ended, did not hold its slot and now does.
local status, queued = unpack(redis.call('HMGET', ROW, 'status', 'queuedReason'))
if not status or TERMINAL[status] or queued then return 0 end
return redis.call('SADD', ACTIVE, ARGV[1])
