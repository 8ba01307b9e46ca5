-- KEYS[1]: the hash of a run's ledger, or of one key that outlives its run. An entry is two fields: 'meta:<key>', an
-- object with nothing but texts in it (which cjson keeps as they are), and 'output:<key>'.
local LEDGER, META, OUTPUT = KEYS[1], 'meta:' .. ARGV[1], 'output:' .. ARGV[1]

local function read_meta()
  local text = redis.call('HGET', LEDGER, META)
  return text and cjson.decode(text) or nil
end

local function write_meta(meta, retention_ms)
  redis.call('HSET', LEDGER, META, cjson.encode(meta))
  if retention_ms ~= '' then redis.call('PEXPIRE', LEDGER, retention_ms) end
end
