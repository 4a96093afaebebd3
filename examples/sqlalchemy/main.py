import os

from sqlalchemy import create_engine, func, make_url, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

# SQLAlchemy refuses `postgres://`: it wants the name of the dialect, and psycopg 3 is the driver.
url = make_url(os.environ["DATABASE_URL"]).set(drivername="postgresql+psycopg")
engine = create_engine(url)


class Base(DeclarativeBase):
    pass


class Visit(Base):
    __tablename__ = "visits"

    id: Mapped[int] = mapped_column(primary_key=True)
    region: Mapped[str | None]


# The app's role owns the app's database, so it makes its own tables.
Base.metadata.create_all(engine)
with Session(engine) as session:
    session.add(Visit(region=os.environ.get("FLY_REGION")))
    session.commit()
    print(f"{session.scalar(select(func.count()).select_from(Visit))} visit(s)")
