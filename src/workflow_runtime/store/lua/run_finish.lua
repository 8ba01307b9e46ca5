-- ARGV: run id, status, ended ISO, ended ms, error JSON or ''.
-- Answers 1 when this ended the run, 0 when it had ended, -1 when there is no such run.
local status = redis.call('HGET', ROW, 'status')
if not status then return -1 end
if TERMINAL[status] then return 0 end
set_ended(ARGV[1], ARGV[2], ARGV[3], ARGV[4])
redis.call('HSET', ROW, 'updatedAt', ARGV[3])
if ARGV[5] ~= '' then redis.call('HSET', ROW, 'error', ARGV[5]) end
return 1
