-- One page of the tenants' ids by time. The tenants themselves are in other slots.
-- KEYS[1] tenants (zset by time)
-- ARGV[1] asc | desc · ARGV[2] limit · ARGV[3] score and ARGV[4] id of the last one seen, or two empty strings
-- ARGV[5] the platform's own tenant, which is left out
-- Returns {total, more (0 | 1), last score, id, …}
local descending = ARGV[1] == 'desc'
local limit = tonumber(ARGV[2])
local from = ARGV[3] ~= '' and ARGV[3] or (descending and '+inf' or '-inf')
local to = descending and '-inf' or '+inf'
local range = descending and 'ZREVRANGEBYSCORE' or 'ZRANGEBYSCORE'

-- Those of one score are ordered by id; those up to the last one seen are not listed again.
local function listed(id, score)
    if id == ARGV[5] then return true end
    if ARGV[4] == '' or tonumber(score) ~= tonumber(ARGV[3]) then return false end
    if descending then return id >= ARGV[4] end
    return id <= ARGV[4]
end

local page, last, more, offset = {}, '', 0, 0
repeat
    local found = redis.call(range, KEYS[1], from, to, 'WITHSCORES', 'LIMIT', offset, limit + 1)
    for n = 1, #found, 2 do
        if not listed(found[n], found[n + 1]) then
            if #page == limit then
                more = 1
                break
            end
            page[#page + 1], last = found[n], found[n + 1]
        end
    end
    offset = offset + limit + 1
until more == 1 or #found == 0
local own = redis.call('ZSCORE', KEYS[1], ARGV[5]) and 1 or 0
return { redis.call('ZCARD', KEYS[1]) - own, more, last, unpack(page) }
