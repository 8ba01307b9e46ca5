-- ARGV: run id, workflow id, then a JSON array of
--   {seq, text, at, status?, endedAt?, endedMs?, set {name: text}, clear [name]}
-- whose values are text throughout: cjson would not keep numbers and empty arrays as they are.
-- Answers {1 when the row exists, number of records applied, last seq}.
local run_id = ARGV[1]
local workflow_id = redis.call('HGET', ROW, 'workflowId')
if not workflow_id then return {0, 0, 0} end
if workflow_id ~= ARGV[2] then
  return redis.error_reply('run ' .. run_id .. ' is of workflow ' .. workflow_id .. ', not ' .. ARGV[2])
end

local last = tonumber(redis.call('HGET', ROW, 'seq') or '0')
local had_ended = false

-- A workflow task whose worker died, or that Temporal refused because a cancellation had come meanwhile, is done again
-- and may go another way. What the first time told from there on did not happen as far as Temporal knows. Later is
-- right: the worker that lost the task may be alive and tell what is older.
local function forget_what_was_given_up(record)
  local told = redis.call('ZRANGEBYSCORE', RECORDS, record.seq, record.seq)[1]
  if not told or told == record.text or cjson.decode(told).at >= record.at then return end
  redis.call('ZREMRANGEBYSCORE', RECORDS, record.seq, '+inf')
  last = record.seq - 1
  if TERMINAL[redis.call('HGET', ROW, 'status')] then
    had_ended = true
    set_status('RUNNING')
    redis.call('HDEL', ROW, 'endedAt', 'error')
    redis.call('ZREM', ENDED, run_id)
  end
end

local function apply_run(record)
  if TERMINAL[redis.call('HGET', ROW, 'status')] then return end
  for name, text in pairs(record.set) do redis.call('HSET', ROW, name, text) end
  for _, name in ipairs(record.clear) do redis.call('HDEL', ROW, name) end
  if not record.status then return end
  if TERMINAL[record.status] then
    set_ended(run_id, record.status, record.endedAt, record.endedMs, had_ended)
  else
    set_status(record.status)
  end
end

local applied, last_at = 0, nil
for _, record in ipairs(cjson.decode(ARGV[3])) do
  if record.seq <= last then forget_what_was_given_up(record) end
  if record.seq > last then
    redis.call('ZADD', RECORDS, record.seq, record.text)
    if record.set then apply_run(record) end
    last, last_at = record.seq, record.at
    applied = applied + 1
  end
end
if last_at then redis.call('HSET', ROW, 'seq', last, 'updatedAt', last_at) end
redis.call('ZREM', UNLAUNCHED, run_id)
return {1, applied, last}
