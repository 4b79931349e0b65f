-- Make an operation of a VM the pending one. A removal is taken at any time, in the place of another operation; all
-- others only when none is pending, and the status permits what they lead to.
-- KEYS[1] VM · KEYS[2] events · KEYS[3] audit · KEYS[4] credits
-- ARGV[1] JSON {id, ownerField?, ownerId?, revision?, operation, operationId, to?, isForced?, least?, who?, events, audit}
--               `to`: the status it leads to, asked for unless `isForced`; `least`: the credit that has to be there, in
--               micro-dollars, by the limits of `who`
-- Returns {1, {field, value, …}} the whole VM, {0} not found, {-1} another revision, {-2, status, pending operation}
-- not now, {-3, code, detail} not enough credit, as `room_for` says
-- @include now
-- @include calendar
-- @include outbox
-- @include credits
-- @include guard
-- @include vm-status
local change = cjson.decode(ARGV[1])
local allowed = guard(KEYS[1], change)
if allowed ~= 1 then return { allowed } end

local status, pending = unpack(redis.call('HMGET', KEYS[1], 'status', 'operation'))
local is_removal = change.operation == 'remove'
if is_removal and pending == 'remove' then return { 1, redis.call('HGETALL', KEYS[1]) } end
local at = now()
if not is_removal then
    if pending or not (change.isForced or may_become(status, change.to)) then return { -2, status, pending or '' } end
    if change.least then
        local credits = { credits = KEYS[4], events = KEYS[2], audit = KEYS[3] }
        local code, detail = room_for(credits, micros(change.least), change.who, at)
        if code ~= 1 then return { -3, code, detail } end
    end
end
end_operation(KEYS[1])
redis.call('HSET', KEYS[1], 'operation', change.operation, 'operationId', change.operationId,
    'operationAt', string.format('%d', at))
touch(KEYS[1], at)
append_entries(KEYS[2], KEYS[3], change, at)
return { 1, redis.call('HGETALL', KEYS[1]) }
