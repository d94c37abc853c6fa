-- ARGV: turn, or '' for the one that runs; call; decision. Takes the first decision about a call that waits to be
-- allowed, and answers with the turn and the decision that counts. Nothing if no such call waits or waited.
local row = redis.call('HMGET', session, 't', 'run', 'ask')
if row[2] ~= '1' or not row[3] or (ARGV[3] ~= '' and row[1] ~= ARGV[3]) then
  return {}
end
local asked = cjson.decode(row[3])
local made = asked[ARGV[4]]
if not made then
  return {}
end
if made == '' then
  made = ARGV[5]
  asked[ARGV[4]] = made
  redis.call('HSET', session, 'ask', cjson.encode(asked))
  redis.call('PUBLISH', channel, 'D ' .. row[1])
end
return { row[1], made }
