-- One page of an order: of one score by id, those after the last one seen.
-- args: asc | desc, limit, score and id of the last one seen, or two empty strings
-- read(id) gives what the page has of a member, or nil where it is left out
-- most: with it no more members are looked at, so that the page may be short though there are more
-- Returns the page, more (0 | 1), score and id of the last one in the page; with `most`, of the last one looked at
local function page_of(order_key, args, read, most)
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

    local page, last, last_id, looked, offset = {}, '', '', 0, 0
    local step = math.max(limit + 1, most and 100 or 0)
    while true do
        local found = redis.call(range, order_key, from, to, 'WITHSCORES', 'LIMIT', offset, step)
        if #found == 0 then return page, 0, last, last_id end
        for n = 1, #found, 2 do
            if not is_seen(found[n], found[n + 1]) then
                if looked == most then return page, 1, last, last_id end
                local item = read(found[n])
                looked = looked + 1
                if item and #page == limit then return page, 1, last, last_id end
                page[#page + 1] = item
                if item or most then last, last_id = found[n + 1], found[n] end
            end
        end
        offset = offset + step
    end
end
