-- ARGV: position to look at (0: none), reap, sealed head, sealed limit.
local at, reap, head, limit = tonumber(ARGV[3]), ARGV[4] == '1', ARGV[5], tonumber(ARGV[6])

local row = redis.call('HMGET', session, 'q', 't', 'run', 'x', 'tr')
if row[3] == '1' and reap and is_over(row[4]) then -- lease
  seal(row[2], row[5], head, limit)
  row = redis.call('HMGET', session, 'q', 't', 'run', 'x', 'tr')
end
local print = false
if at > 0 then
  local entry = redis.call('XRANGE', log, string.format('%.0f-0', at), string.format('%.0f-0', at))[1]
  if entry then
    local fields = {}
    for field = 1, #entry[2], 2 do
      fields[entry[2][field]] = entry[2][field + 1]
    end
    print = fields.t .. '@' .. fields.m
  end
end
local running = row[3] == '1'
return {
  row[1] or '0',
  redis.call('HGET', session, 'f') or '',
  print or '',
  running and row[2] or '',
  running and row[5] or '',
  running and tostring(math.max(tonumber(row[4] or '0') - now, 0)) or '0',
  running and (redis.call('GET', text) or '') or '',
  redis.call('EXISTS', erased) == 1 and 'erased' or '',
}
