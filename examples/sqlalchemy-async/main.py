import asyncio
import os

from sqlalchemy import func, make_url, select
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

# SQLAlchemy refuses `postgres://`: it wants the name of the dialect, and asyncpg is the driver.
url = make_url(os.environ["DATABASE_URL"]).set(drivername="postgresql+asyncpg")
engine = create_async_engine(url)


class Base(DeclarativeBase):
    pass


class Visit(Base):
    __tablename__ = "visits"

    id: Mapped[int] = mapped_column(primary_key=True)
    region: Mapped[str | None]


async def main() -> None:
    # The app's role owns the app's database, so it makes its own tables.
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    async with AsyncSession(engine) as session:
        session.add(Visit(region=os.environ.get("FLY_REGION")))
        await session.commit()
        print(f"{await session.scalar(select(func.count()).select_from(Visit))} visit(s)")
    await engine.dispose()


asyncio.run(main())
