-- ARGV: key, retention ms or '', '1' when side-effectful, now, entry of a first attempt, input JSON.
-- Answers {verdict, recorded output or the other action's id}.
local meta = read_meta()
local fresh = cjson.decode(ARGV[5])
if not meta then
  redis.call('HSET', LEDGER, 'input:' .. ARGV[1], ARGV[6])
  write_meta(fresh, ARGV[2])
  return {'FRESH', ''}
end
if meta.actionId ~= fresh.actionId then return {'REUSED', meta.actionId} end
if meta.state == 'SUCCEEDED' then return {'SUCCEEDED', redis.call('HGET', LEDGER, OUTPUT)} end
local open = meta.state == 'STARTED' or meta.state == 'UNKNOWN'
meta.state = (open and ARGV[3] == '1') and 'UNKNOWN' or 'STARTED'
meta.attempts = tostring(tonumber(meta.attempts) + 1)
write_meta(meta, ARGV[2])
return {meta.state == 'UNKNOWN' and 'UNKNOWN' or 'FRESH', ''}
