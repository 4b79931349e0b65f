-- Delete a backup: nobody sees it from now on, and its archive is to be removed.
-- KEYS[1] backup · KEYS[2] events · KEYS[3] audit · KEYS[4] backups by creation · KEYS[5] complete ones by completion
-- KEYS[6] those that are being deleted · KEYS[7] backups by expiry · KEYS[8] statistics · KEYS[9] the restore that runs
-- ARGV[1] JSON {id, revision?, day, size, events, audit}: its day and its class of sizes in the statistics
-- Returns {1, {field, value, …}} what it was, {0} not found, {-1} another revision, {-2} it is being made, {-3} a restore
-- needs it
-- @include now
-- @include outbox
-- @include guard
local change = cjson.decode(ARGV[1])
local allowed = guard(KEYS[1], change)
if allowed ~= 1 then return { allowed } end
local state, bytes = unpack(redis.call('HMGET', KEYS[1], 'state', 'bytes'))
if state == 'deleting' then return { 0 } end
if state == 'in_progress' then return { -2 } end
local source, safety = unpack(redis.call('HMGET', KEYS[9], 'source', 'safety'))
if source == change.id or safety == change.id then return { -3 } end

local at = now()
local backup = redis.call('HGETALL', KEYS[1])
redis.call('HSET', KEYS[1], 'state', 'deleting')
redis.call('ZREM', KEYS[4], change.id)
redis.call('ZREM', KEYS[7], change.id)
redis.call('ZADD', KEYS[6], string.format('%d', at), change.id)
if redis.call('ZREM', KEYS[5], change.id) == 1 then
    local day = 'day:' .. change.day
    redis.call('HINCRBY', KEYS[8], 'bytes', -bytes)
    redis.call('HINCRBY', KEYS[8], day .. ':bytes', -bytes)
    redis.call('HINCRBY', KEYS[8], 'size:' .. change.size, -1)
    if redis.call('HINCRBY', KEYS[8], day .. ':count', -1) == 0 then
        redis.call('HDEL', KEYS[8], day .. ':count', day .. ':bytes')
    end
end
append_entries(KEYS[2], KEYS[3], change, at)
return { 1, backup }
