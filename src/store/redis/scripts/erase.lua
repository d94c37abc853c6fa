-- ARGV: how long followers that hear nothing just now can still learn of it, in ms.
local there = redis.call('EXISTS', session)
local row = redis.call('HMGET', session, 'o', 't')
redis.call('DEL', session, log, text, messages, admissions)
if there == 1 then
  redis.call('SET', erased, 1, 'PX', ARGV[3])
end
redis.call('PUBLISH', channel, row[2] and 'X ' .. row[2] or 'X')
return { there, row[1] or '' }
