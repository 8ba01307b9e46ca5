-- ARGV: key, retention ms or '', state, now, entry in case it is gone, output JSON or '', failure JSON or ''.
-- Answers the recorded output of a succeeded action, which is that of the first attempt that succeeded, or ''.
local state = ARGV[3]
local meta = read_meta() or cjson.decode(ARGV[5])
if meta.state == 'SUCCEEDED' then return redis.call('HGET', LEDGER, OUTPUT) end
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
return ARGV[6]
