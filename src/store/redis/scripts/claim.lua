-- ARGV: turn, holder, lease ms. Takes a turn that nobody holds.
local row = redis.call('HMGET', session, 't', 'run', 'h', 'ts', 'tr', 'q', 'o')
if row[1] ~= ARGV[3] or row[2] ~= '1' or row[3] ~= '' then
  return {}
end
local entry = redis.call('XRANGE', log, row[4] .. '-0', row[4] .. '-0')[1]
if not entry then
  return {}
end
redis.call('HSET', session, 'h', ARGV[4], 'x', now + tonumber(ARGV[5]))
local data = ''
for field = 1, #entry[2], 2 do
  if entry[2][field] == 'd' then
    data = entry[2][field + 1]
  end
end
return { row[4], row[5], row[6], row[7] or 'anonymous', data, redis.call('GET', text) or '' }
