module herald.test/miniapi

go 1.19
