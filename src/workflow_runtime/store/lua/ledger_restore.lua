-- ARGV: key, retention ms or '', entry, input JSON, output JSON or ''.
-- Puts an entry where none is, and an answer in place of an entry that has none. Answers 1 when it did.
local meta, told = read_meta(), cjson.decode(ARGV[3])
if meta and (meta.actionId ~= told.actionId or meta.state == 'SUCCEEDED' or told.state ~= 'SUCCEEDED') then return 0 end
redis.call('HSET', LEDGER, 'input:' .. ARGV[1], ARGV[4])
if ARGV[5] ~= '' then redis.call('HSET', LEDGER, OUTPUT, ARGV[5]) end
write_meta(told, ARGV[2])
return 1
