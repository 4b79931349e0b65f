-- End a backup, well or badly.
-- KEYS[1] backup · KEYS[2] events · KEYS[3] audit · KEYS[4] id of the one that is being made · KEYS[5] complete backups by
-- completion · KEYS[6] statistics; beside them `<KEYS[6]>:<yyyymmdd>` and `:<yyyymm>` have how many were completed and failed
-- in that time, and `<KEYS[6]>:failed` which have failed lately
-- ARGV[1] JSON {id, holder, isComplete, set: [field, value, …], figures: [field, number, …], events, audit}
-- Returns 1 ended, 0 it was not being made by that holder
-- @include now
-- @include calendar
-- @include outbox
local KEPT_SECONDS, FAILED_KEPT_MS = 400 * 86400, 2 * DAY_MS
local change = cjson.decode(ARGV[1])
local state, holder, created = unpack(redis.call('HMGET', KEYS[1], 'state', 'holder', 'createdAt'))
if state ~= 'in_progress' or holder ~= change.holder then return 0 end

local at = now()
local time = string.format('%d', at)
local duration = string.format('%d', math.max(0, at - created))
redis.call('HSET', KEYS[1], 'completedAt', time, 'updatedAt', time, 'durationMs', duration, unpack(change.set))
redis.call('HINCRBY', KEYS[1], 'revision', 1)
redis.call('HDEL', KEYS[1], 'holder', 'heldUntil')
if redis.call('GET', KEYS[4]) == change.id then redis.call('DEL', KEYS[4]) end
if change.isComplete then redis.call('ZADD', KEYS[5], time, change.id) end
for n = 1, #change.figures, 2 do redis.call('HINCRBY', KEYS[6], change.figures[n], change.figures[n + 1]) end

local date, ended = date_at(at), change.isComplete and 'completed' or 'failed'
for _, period in ipairs({ date, date:sub(1, 6) }) do
    redis.call('HINCRBY', KEYS[6] .. ':' .. period, ended, 1)
    redis.call('EXPIRE', KEYS[6] .. ':' .. period, KEPT_SECONDS)
end
if not change.isComplete then
    local failed = KEYS[6] .. ':failed'
    redis.call('ZADD', failed, time, change.id)
    redis.call('ZREMRANGEBYSCORE', failed, '-inf', string.format('%d', at - FAILED_KEPT_MS))
    redis.call('PEXPIRE', failed, FAILED_KEPT_MS)
end
append_entries(KEYS[2], KEYS[3], change, at)
return 1
