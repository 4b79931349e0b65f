-- One page of an order: of one score by id, those after the last one seen.
-- args: asc | desc, limit, score and id of the last one seen, or two empty strings
-- read(id) gives what the page has of a member, or nil where it is left out
-- Returns the page, more (0 | 1), last score
local function page_of(order_key, args, read)
    local direction, limit, seen_score, seen_id = args[1], tonumber(args[2]), args[3], args[4]
    local descending = direction == 'desc'
    local range = descending and 'ZREVRANGEBYSCORE' or 'ZRANGEBYSCORE'
    local from = seen_score ~= '' and seen_score or (descending and '+inf' or '-inf')
    local to = descending and '-inf' or '+inf'

    local function is_seen(id, score)
        if seen_id == '' or tonumber(score) ~= tonumber(seen_score) then return false end
        if descending then return id >= seen_id end
        return id <= seen_id
    end

    local page, last, offset = {}, '', 0
    while true do
        local found = redis.call(range, order_key, from, to, 'WITHSCORES', 'LIMIT', offset, limit + 1)
        if #found == 0 then return page, 0, last end
        for n = 1, #found, 2 do
            local item = not is_seen(found[n], found[n + 1]) and read(found[n])
            if item then
                if #page == limit then return page, 1, last end
                page[#page + 1], last = item, found[n + 1]
            end
        end
        offset = offset + limit + 1
    end
end
