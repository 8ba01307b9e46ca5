-- ARGV: …, expected revision or ''. Answers {'deleted', 1 when there was something} or {'moved', revision}.
local before = answer_of_before()
if before then return before end
local old = revision()
if ARGV[4] ~= '' and old ~= tonumber(ARGV[4]) then return {'moved', old} end
redis.call('UNLINK', ENTRY)
forget()
return remember({'deleted', old == 0 and 0 or 1})
