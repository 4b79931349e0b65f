-- Note what checks saw of the members, and have the status follow. After a proxy has come to be in error it is checked
-- sooner for a few times; when these are over and it still is, that is told.
-- KEYS[1] proxy · KEYS[2] events · KEYS[3] audit · KEYS[4] health · KEYS[5] changes of its status
-- ARGV[1] JSON [{tunnelId, isSuccess, latencyMs, error?}, …]
-- Returns in how many milliseconds it is to be checked again, -1 it does not run
-- @include now
-- @include outbox
-- @include proxy-status
-- @include member-health
local before = redis.call('HGET', KEYS[1], 'status')
if not before or not RUNS[before] then return -1 end

local at = now()
local tries, due = unpack(redis.call('HMGET', KEYS[1], 'recovery', 'recoveryAt'))
local is_try = tries and tonumber(tries) < RECOVERIES and at >= tonumber(due)
if is_try then
    tries = redis.call('HINCRBY', KEYS[1], 'recovery', 1)
    redis.call('HSET', KEYS[1], 'recoveryAt', string.format('%d', at + RECOVERY_MS))
end
for _, seen in ipairs(cjson.decode(ARGV[1])) do
    if is_member(KEYS[1], seen.tunnelId) then see(KEYS[4], seen, at, true) end
end
local status = settle(KEYS, at)
if is_try and status == 'error' and tries == RECOVERIES then tell(KEYS, 'recovery_failed', { tries = tries }, at) end

local interval = cjson.decode(redis.call('HGET', KEYS[1], 'config')).healthInterval
local left = tonumber(redis.call('HGET', KEYS[1], 'recovery') or RECOVERIES) < RECOVERIES
return left and math.min(interval, RECOVERY_MS) or interval
