-- Put the answer in the place of an idempotency key's holder, or free the key. A lease that ran out while the datastore
-- was away is no hindrance as long as nobody else has taken the key.
-- KEYS[1] key
-- ARGV[1] digest of the body · ARGV[2] who holds it · ARGV[3] answer, or '' to free the key · ARGV[4] lifetime in ms
-- Returns 1 done, 0 somebody else has it
local holder, body = unpack(redis.call('HMGET', KEYS[1], 'holder', 'body'))
if body and holder ~= ARGV[2] then return 0 end
redis.call('UNLINK', KEYS[1])
if ARGV[3] ~= '' then
    redis.call('HSET', KEYS[1], 'body', ARGV[1], 'answer', ARGV[3])
    redis.call('PEXPIRE', KEYS[1], ARGV[4])
end
return 1
