-- One page of the records in an order. The record keys are KEYS[2] followed by an id: the same tenant, the same slot.
-- KEYS[1] order · KEYS[2] what the record keys begin with
-- ARGV[1] asc | desc · ARGV[2] limit · ARGV[3] score and ARGV[4] id of the last record seen, or two empty strings
-- Returns {total, more (0 | 1), last score, {field, value, …}, …}
local descending = ARGV[1] == 'desc'
local limit = tonumber(ARGV[2])
local from = ARGV[3] ~= '' and ARGV[3] or (descending and '+inf' or '-inf')
local to = descending and '-inf' or '+inf'
local range = descending and 'ZREVRANGEBYSCORE' or 'ZRANGEBYSCORE'

-- Records of one score are ordered by id; those up to the last one seen are not listed again.
local function seen(id, score)
    if ARGV[4] == '' or tonumber(score) ~= tonumber(ARGV[3]) then return false end
    if descending then return id >= ARGV[4] end
    return id <= ARGV[4]
end

local page, last, more, offset = {}, '', 0, 0
repeat
    local found = redis.call(range, KEYS[1], from, to, 'WITHSCORES', 'LIMIT', offset, limit + 1)
    for n = 1, #found, 2 do
        local id, score = found[n], found[n + 1]
        if not seen(id, score) then
            local record = redis.call('HGETALL', KEYS[2] .. id)
            if #record > 0 then
                if #page == limit then
                    more = 1
                    break
                end
                page[#page + 1], last = record, score
            end
        end
    end
    offset = offset + limit + 1
until more == 1 or #found == 0
return { redis.call('ZCARD', KEYS[1]), more, last, unpack(page) }
