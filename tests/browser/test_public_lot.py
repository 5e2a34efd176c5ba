"""What a buyer sees who scans a label: a real browser follows the code."""

import pytest
from playwright.sync_api import expect

CODE = "/01/09521234543213/10/BM261120-03"


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_a_scanned_code_opens_the_public_page_in_the_readers_language(open_page, width, theme):
    watched = open_page(CODE, width, theme, locale="vi-VN")
    page = watched.page
    expect(page.locator("#journey svg .ln").first).to_be_visible()
    assert page.url.endswith("/p/09521234543213/BM261120-03?lang=vi")
    expect(page.locator(".ten-no").first).to_have_text("1")
    expect(page.locator(".verdict-word")).to_contain_text("Không đạt yêu cầu giữ lạnh")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.get_by_title("English").click()
    expect(page.locator("h2")).to_have_text("How this lot was kept cold")
    expect(page.locator("#journey svg .ln").first).to_be_visible()
    assert watched.complaints == []
