-- Take a lease on one of a user's slots.
-- KEYS[1] slots (zset by expiry) · KEYS[2] tenant · KEYS[3] violations
-- ARGV[1] slot id · ARGV[2] slots by tier; the tenant's own figure goes before · ARGV[3] lease in milliseconds
-- ARGV[4] user id · ARGV[5] API key id or '' · ARGV[6] '1' if being refused now is the end of it, which is counted
-- Returns {1, slots} taken (again, under the same id), {0, slots} all of them are in use
-- @include now
-- @include violation
local at = now()
local overrides = redis.call('HGET', KEYS[2], 'limits')
local most = overrides and cjson.decode(overrides).concurrentGenerations or tonumber(ARGV[2])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%d', at))
if redis.call('ZCARD', KEYS[1]) >= most and not redis.call('ZSCORE', KEYS[1], ARGV[1]) then
    if ARGV[6] == '1' or most == 0 then
        local key_id = ARGV[5] ~= '' and ARGV[5] or nil
        count_violation(KEYS[3], { kind = 'concurrency', userId = ARGV[4], keyId = key_id }, at)
    end
    return { 0, most }
end
redis.call('ZADD', KEYS[1], string.format('%d', at + ARGV[3]), ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return { 1, most }
