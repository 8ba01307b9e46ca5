-- What an event that is taken for its first pass may go to.

-- The waits under these prefixes, and the bytes of all.
local function waits_under(waits, index, prefixes)
  local found, bytes = {}, 0
  for _, prefix in ipairs(prefixes) do
    for _, member in ipairs(redis.call('ZRANGEBYLEX', index, '[' .. prefix .. '|', '(' .. prefix .. '}')) do
      local wait = redis.call('HGET', waits, string.match(member, '([^|]+)$'))
      if wait then
        found[#found + 1] = wait
        bytes = bytes + #wait
      end
    end
  end
  return found, bytes
end

-- The first prefix is that of waits for any key of the event's name, percent-encoded as in _keys.py.
local function event_name(prefixes)
  local encoded = string.match(prefixes[1], '^[^:]*')
  return (string.gsub(encoded, '%%(%x%x)', function(hex) return string.char(tonumber(hex, 16)) end))
end
