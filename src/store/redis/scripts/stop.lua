-- ARGV: turn, or '' for the one that runs.
local row = redis.call('HMGET', session, 't', 'run')
if row[2] ~= '1' or (ARGV[3] ~= '' and row[1] ~= ARGV[3]) then
  return 0
end
redis.call('HSET', session, 'stop', row[1])
redis.call('PUBLISH', channel, 'S ' .. row[1])
return 1
