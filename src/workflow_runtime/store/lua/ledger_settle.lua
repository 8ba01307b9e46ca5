-- ARGV: key, retention ms or '', state, now, entry in case there is none, output JSON or '', failure JSON or '', input
-- JSON of an attempt that no ledger_begin announced or ''.
-- Answers the recorded output when an earlier attempt succeeded, which is the one that stands, or nil.
local state, input = ARGV[3], ARGV[8]
local meta = read_meta()
if meta and meta.state == 'SUCCEEDED' then return redis.call('HGET', LEDGER, OUTPUT) end
if meta and input ~= '' then
  meta.attempts = tostring(tonumber(meta.attempts) + 1)
elseif input ~= '' then
  redis.call('HSET', LEDGER, 'input:' .. ARGV[1], input)
end
meta = meta or cjson.decode(ARGV[5])
if state == 'SUCCEEDED' then
  redis.call('HSET', LEDGER, OUTPUT, ARGV[6])
  meta.failure = nil
else
  if ARGV[7] ~= '' then meta.failure = ARGV[7] end
  -- That a recovered attempt failed does not tell how the attempt before it ended.
  if meta.state == 'UNKNOWN' then state = 'UNKNOWN' end
end
meta.state = state
meta.endedAt = ARGV[4]
write_meta(meta, ARGV[2])
return false
