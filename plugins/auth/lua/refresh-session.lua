-- Take the next step of a session's refresh counter.
-- KEYS[1] session · KEYS[2] tenant · KEYS[3] user · KEYS[4] the user's sessions · KEYS[5] events · KEYS[6] audit
-- ARGV[1] session id · ARGV[2] user id · ARGV[3] counter of the token · ARGV[4] grace and ARGV[5] lifetime of a
--         session, in milliseconds · ARGV[6] JSON {refreshed: {events, audit}, reused: {events, audit}}
-- Returns {1, counter, {user field, value, …}, {tenant field, value, …}}; the step just taken is given again in the grace
--         {0} no such session, {-1} used before (the session is ended), {-2} tenant or {-3} user not in standing
--         {-4} the tenant is being restored
-- @include now
-- @include outbox
-- @include epoch
if redis.call('HEXISTS', KEYS[2], 'restoring') == 1 then return { -4 } end
local at = now()
local user_id, counter, refreshed, began =
    unpack(redis.call('HMGET', KEYS[1], 'userId', 'counter', 'refreshedAt', 'createdAt'))
if user_id ~= ARGV[2] then return { 0 } end
local status, tenant_epoch = unpack(redis.call('HMGET', KEYS[2], 'status', 'epoch'))
if status ~= 'active' then return { -2 } end
local active, user_epoch = unpack(redis.call('HMGET', KEYS[3], 'isActive', 'epoch'))
if active ~= '1' then return { -3 } end
if is_over(began, tenant_epoch, user_epoch) then return { 0 } end

local given, current = tonumber(ARGV[3]), tonumber(counter)
local again = given == current - 1 and at - tonumber(refreshed or 0) <= tonumber(ARGV[4])
if given ~= current and not again then
    redis.call('UNLINK', KEYS[1])
    redis.call('ZREM', KEYS[4], ARGV[1])
    append_entries(KEYS[5], KEYS[6], cjson.decode(ARGV[6]).reused, at)
    return { -1 }
end

if not again then
    current = current + 1
    local time, expiry = string.format('%d', at), string.format('%d', at + ARGV[5])
    redis.call('HSET', KEYS[1], 'counter', current, 'refreshedAt', time, 'updatedAt', time, 'expiresAt', expiry)
    redis.call('HINCRBY', KEYS[1], 'revision', 1)
    redis.call('PEXPIREAT', KEYS[1], expiry)
    redis.call('ZADD', KEYS[4], expiry, ARGV[1])
    append_entries(KEYS[5], KEYS[6], cjson.decode(ARGV[6]).refreshed, at)
end
return { 1, current, redis.call('HGETALL', KEYS[3]), redis.call('HGETALL', KEYS[2]) }
