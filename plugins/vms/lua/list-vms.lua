-- One page of a user's VMs in an order. The VM keys are KEYS[2] followed by an id: the same tenant, the same slot.
-- KEYS[1] order · KEYS[2] what the VM keys begin with
-- ARGV[1] asc | desc · ARGV[2] limit · ARGV[3] score and ARGV[4] id of the last VM seen, or two empty strings
-- ARGV[5] the most that are looked at · ARGV[6] status, or an empty string for all
-- Returns {more (0 | 1), last score, last id, {field, value, …}, …}
-- @include page
local function read(id)
    local key = KEYS[2] .. id
    local status = redis.call('HGET', key, 'status')
    if not status or (ARGV[6] ~= '' and status ~= ARGV[6]) then return nil end
    return redis.call('HGETALL', key)
end

local page, more, last, last_id = page_of(KEYS[1], ARGV, read, tonumber(ARGV[5]))
return { more, last, last_id, unpack(page) }
