-- ARGV: run id, ended before (ms). Answers 1 when the run was removed.
local run_id = ARGV[1]
local ended = tonumber(redis.call('ZSCORE', ENDED, run_id) or 'inf')
if ended >= tonumber(ARGV[2]) then return 0 end
local status, member = unpack(redis.call('HMGET', ROW, 'status', 'indexMember'))
redis.call('ZREM', ENDED, run_id)
if not status then return 0 end
unindex_status(member, status)
redis.call('ZREM', ALL, member)
redis.call('ZREM', OF_WORKFLOW, member)
redis.call('ZREM', SIBLINGS, run_id)
redis.call('UNLINK', ROW, PAYLOAD, RECORDS, LEDGER, CHILDREN)
return 1
