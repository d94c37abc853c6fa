-- ARGV: turn, holder, lease ms, token of the attempt. Takes a turn that nobody holds.
local row = redis.call('HMGET', session, 't', 'run', 'h', 'ts', 'tr', 'q', 'o', 'by')
local repeated = row[3] == ARGV[4] and row[8] == ARGV[6]
if row[1] ~= ARGV[3] or row[2] ~= '1' or not (row[3] == '' or repeated) then
  return {}
end
local entry = redis.call('XRANGE', log, row[4] .. '-0', row[4] .. '-0')[1]
if not entry then
  return {}
end
redis.call('HSET', session, 'h', ARGV[4], 'by', ARGV[6], 'x', now + tonumber(ARGV[5]))
local data = ''
for field = 1, #entry[2], 2 do
  if entry[2][field] == 'd' then
    data = entry[2][field + 1]
  end
end
return { row[4], row[5], row[6], row[7] or 'anonymous', data, redis.call('GET', text) or '' }
