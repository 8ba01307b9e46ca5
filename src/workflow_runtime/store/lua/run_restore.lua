-- KEYS: as in _runs.lua, then the records to take over (a sorted set made beforehand; absent for none).
-- ARGV: run id, `seq` the row is expected to have ('' for no row), index member, created ms, ended ms or '',
--   '1' when the run counts against its workflow's limit, payload JSON or '' to leave it, then fields of the row.
-- Puts the run in place of whatever stands there, indexes included. Answers 'restored', or 'moved' when somebody wrote
-- to the run since it was read; then nothing changed.
local NEW_RECORDS = KEYS[#KEYS]
local run_id, expected, member, created_ms, ended_ms, counts = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6]
if (redis.call('HGET', ROW, 'seq') or '') ~= expected then return 'moved' end

local old_member = redis.call('HGET', ROW, 'indexMember')
for status in pairs(ORDINAL) do
  unindex_status(member, status)
  if old_member then unindex_status(old_member, status) end
end
if old_member then
  redis.call('ZREM', ALL, old_member)
  redis.call('ZREM', OF_WORKFLOW, old_member)
end

redis.call('UNLINK', ROW, RECORDS)
redis.call('HSET', ROW, 'indexMember', member, unpack(ARGV, 8))
if redis.call('EXISTS', NEW_RECORDS) == 1 then
  redis.call('RENAME', NEW_RECORDS, RECORDS)
  redis.call('PERSIST', RECORDS)
end
if ARGV[7] ~= '' then redis.call('SET', PAYLOAD, ARGV[7]) end
leave_queue(run_id)
redis.call('ZREM', UNLAUNCHED, run_id)

redis.call('ZADD', ALL, 0, member)
redis.call('ZADD', OF_WORKFLOW, 0, member)
index_status(member, redis.call('HGET', ROW, 'status'))
if redis.call('HEXISTS', ROW, 'parentRunId') == 1 then redis.call('ZADD', SIBLINGS, created_ms, run_id) end
if ended_ms ~= '' then redis.call('ZADD', ENDED, ended_ms, run_id) else redis.call('ZREM', ENDED, run_id) end
redis.call(counts == '1' and 'SADD' or 'SREM', ACTIVE, run_id)
return 'restored'
