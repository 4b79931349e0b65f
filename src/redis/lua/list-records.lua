-- One page of the records in an order. The record keys are KEYS[2] followed by an id: the same tenant, the same slot.
-- KEYS[1] order · KEYS[2] what the record keys begin with
-- ARGV[1] asc | desc · ARGV[2] limit · ARGV[3] score and ARGV[4] id of the last record seen, or two empty strings
-- Returns {total, more (0 | 1), last score, {field, value, …}, …}
-- @include page
local function read(id)
    local record = redis.call('HGETALL', KEYS[2] .. id)
    return #record > 0 and record or nil
end

local page, more, last = page_of(KEYS[1], ARGV, read)
return { redis.call('ZCARD', KEYS[1]), more, last, unpack(page) }
