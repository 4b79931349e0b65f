local MOST_LOOKS = 500

-- One page of what has a search term that begins so, in the order of the terms. What has several such terms stands at
-- the first of them only, so there may be many terms with nothing new: as others wait for the script, it ends after so
-- many, with a shorter page, or an empty one.
-- index: zset of "<term>\0<id>" · args: beginning of the term, last member seen or '', limit
-- terms_of(id) gives all of its terms, or nil where it is gone · read(id) gives what the page has of it
-- Returns {more (0 | 1), last member that was looked at, what was read, …}
local function terms_page(index, args, terms_of, read)
    local begin, limit = args[1], tonumber(args[3])
    local from = args[2] ~= '' and '(' .. args[2] or '[' .. begin
    -- No text in UTF-8 has this byte.
    local to = '[' .. begin .. '\255'

    local function is_first(term, terms)
        for _, other in ipairs(terms or {}) do
            if other:sub(1, #begin) == begin and other < term then return false end
        end
        return terms ~= nil
    end

    local page, last, looks = {}, '', 0
    while true do
        local found = redis.call('ZRANGEBYLEX', index, from, to, 'LIMIT', 0, limit + 1)
        if #found == 0 then return { 0, last, unpack(page) } end
        for _, member in ipairs(found) do
            looks = looks + 1
            local term, id = member:match('^(.*)%z(.*)$')
            local is_found = is_first(term, terms_of(id))
            if looks > MOST_LOOKS or (is_found and #page == limit) then return { 1, last, unpack(page) } end
            from, last = '(' .. member, member
            if is_found then page[#page + 1] = read(id) end
        end
    end
end
