local there = redis.call('EXISTS', session)
local owner = redis.call('HGET', session, 'o') or ''
redis.call('DEL', session, log, text, messages, admissions)
redis.call('PUBLISH', channel, 'X')
return { there, owner }
