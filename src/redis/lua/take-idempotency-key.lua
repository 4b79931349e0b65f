-- Take an idempotency key for a request, or tell what became of it.
-- KEYS[1] key (hash: body, then holder while the request runs, or answer afterwards)
-- ARGV[1] digest of the body · ARGV[2] who takes it · ARGV[3] lease in ms
-- Returns {1} taken, {0, holder} still running, {-1} taken for another body, {2, answer} answered
local body, answer = unpack(redis.call('HMGET', KEYS[1], 'body', 'answer'))
if not body then
    redis.call('HSET', KEYS[1], 'body', ARGV[1], 'holder', ARGV[2])
    redis.call('PEXPIRE', KEYS[1], ARGV[3])
    return { 1 }
end
if body ~= ARGV[1] then return { -1 } end
if answer then return { 2, answer } end
return { 0, redis.call('HGET', KEYS[1], 'holder') }
